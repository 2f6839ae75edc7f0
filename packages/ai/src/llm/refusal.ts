/** Why an answer, or a call, has nothing to do with the cache. */
export type RefusalReason =
  /** Nobody could say whose the call is. */
  | 'scope'
  /** The request has no identity, or is of a kind that is not cached. */
  | 'request'
  /** The call said `noStore`. */
  | 'no-store'
  /** The model is behind the cache twice: the call is made by the one whose answer it would wait for. */
  | 'nested'
  /** It broke off, or its terminator was missing. */
  | 'incomplete'
  /** The model stopped for a reason that is not among those allowed. */
  | 'finish'
  | 'empty'
  | 'too-large'
  /** The provider answered with an error. */
  | 'error'
  /** The form was not understood, or cannot be stored. */
  | 'form'
  /** The provider ran tools for it, such as a search: what they found is of that moment. */
  | 'provider-tools'
  | 'should-store'
