import { readFileSync } from 'node:fs'

const page = readFileSync(new URL('../../../../../docs/Reference/redis-keys.md', import.meta.url), 'utf8')

/** What a user must be allowed for the prefix `app:`, to the letter of the documentation. The password is `password`. */
export const aclRules: readonly string[] = /^ACL SETUSER cache (on .*)$/m.exec(page)?.[1]?.split(' ') ?? []
