export { connectSocketIo, type SocketIoConnection, type SocketIoServer } from './connect-socket-io.js'
