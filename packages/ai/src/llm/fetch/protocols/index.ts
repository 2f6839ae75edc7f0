import type { Protocol } from '../protocol.js'
import { chat } from './chat.js'
import { messages } from './messages.js'
import { responses } from './responses.js'

export const protocols: readonly Protocol[] = [chat, responses, messages]
