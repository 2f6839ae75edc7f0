export { connectSocketIo, type SocketIoConnection, type SocketIoOptions, type SocketIoServer } from './connect-socket-io.js'
