const pagesOf = (origin: string): string =>
  ['/cities/2988507', '/countries/FR', '/countries/FR/cities?top=5', '/search?q=ville'].map((path) => `  curl '${origin}${path}'\n`).join('') + `  curl -i '${origin}/pages/FR'\n`

const changeThrough = (origin: string): string =>
  `  curl -X PUT ${origin}/cities/2988507 -H 'content-type: application/json' -d '{ "population": 2140000 }'\n`

const statsOf = (origin: string): string => `  curl ${origin}/stats\n`

const questionsTo = (origin: string): string => `  curl -N '${origin}/ask?q=Which+city+never+sleeps%3F'\n`

/** What to try with a service that is one process, or two on one Redis. */
export function invitation([origin, other]: readonly [string, string?]): string {
  if (other === undefined) {
    return `
Try, twice each:
${pagesOf(origin)}Change a city, and look at the three pages of France again:
${changeThrough(origin)}See what the cache did, and how often the database was asked:
${statsOf(origin)}Stop with Ctrl-C.
`
  }
  return `
Two processes serve the same cities: ${origin} and ${other}
Try, twice each, then of the other process, which has it from Redis:
${pagesOf(origin)}Change a city through one process, and look at it through the other:
${changeThrough(origin)}  curl '${other}/cities/2988507'
See where values came from, and how often the database was asked:
${statsOf(origin)}${statsOf(other)}Ask a language model, twice, then the other process: it streams, the second time from the cache:
${questionsTo(origin)}${questionsTo(other)}What an operator sees of a process: cache, locks, limits, revoked tokens, presence:
  curl ${origin}/operator/stats
Stop with Ctrl-C.
`
}
