/** A benchmark gave a wrong value, or loaded more often than it may: what it measured is not what it says. */
export class Misbehaviour extends Error {
  override readonly name = 'Misbehaviour'
}

export function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Misbehaviour(otherwise)
}
