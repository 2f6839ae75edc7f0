import { splitTokenId } from './names.js'

/** Longer than entries usually live: an entry whose token was lost is only a miss. */
export const TOKEN_TTL_MS = 30 * 86_400_000

/**
 * What tokens are called inside an entry. The path is left out there, as the key says it already: `g2` is the namespace two levels down, `t` and `r` begin the
 * names of the entry's own tags and rooms.
 */
export function nameInEntry(id: string): string {
  const [path, label] = splitTokenId(id)
  return label === 'g' ? `g${path.split(':').length}` : label
}

/** The id of a token that an entry of the namespace names; `undefined` when it is no such name. */
export function idInEntry(path: string, name: string): string | undefined {
  if (name[0] === 't' || name[0] === 'r') return `${path}\0${name}`
  const level = Number(name.slice(1))
  const levels = path.split(':')
  return name[0] === 'g' && level >= 1 && level <= levels.length ? `${levels.slice(0, level).join(':')}\0g` : undefined
}
