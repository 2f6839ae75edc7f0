import { MissingPeerError } from '@tiercel/core'
import type * as messages from '@langchain/core/messages'
import type * as outputs from '@langchain/core/outputs'

type Messages = typeof messages
type Outputs = typeof outputs

/** What of LangChain answers are made of. */
export type LangChain = Pick<Messages, 'AIMessage' | 'AIMessageChunk' | 'convertToChunk' | 'mapStoredMessageToChatMessage'> & Pick<Outputs, 'ChatGenerationChunk'>

let library: Promise<LangChain> | undefined

/**
 * Who uses this has LangChain; whoever does not need not install it.
 *
 * @throws {MissingPeerError}
 */
export function loadLangChain(): Promise<LangChain> {
  library ??= load()
  return library
}

async function load(): Promise<LangChain> {
  try {
    const [ofMessages, ofOutputs] = await Promise.all([import('@langchain/core/messages'), import('@langchain/core/outputs')])
    return { ...ofMessages, ...ofOutputs }
  } catch {
    throw new MissingPeerError('Answers for LangChain are made of its messages, and it cannot be loaded: npm install @langchain/core')
  }
}
