import { mkdirSync, readdirSync } from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidOptionError, QueueFullError } from '@tiercel/core'

const FILE = /^([\w-]{43})\.(\d{1,16})$/

export interface Revocation {
  readonly hash: string
  /** In ms since 1970. */
  readonly until: number
}

/**
 * Revocations that Redis does not have yet; without a Redis, all of them. With a folder each is an empty file there, of which the name says everything: several processes can
 * have the same folder, and one that is started anew finds what was left.
 */
export class PendingRevocations {
  readonly #untilOf = new Map<string, number>()
  readonly #folder: string | undefined
  readonly #most: number

  /** @throws {InvalidOptionError} when the folder cannot be used. */
  constructor(folder: string | undefined, most: number) {
    this.#folder = folder
    this.#most = most
    if (folder === undefined) return
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      for (const name of readdirSync(folder)) this.#find(name)
    } catch (error) {
      throw new InvalidOptionError(`The folder of journal cannot be used: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`)
    }
  }

  get size(): number {
    return this.#untilOf.size
  }

  has(hash: string): boolean {
    return (this.#untilOf.get(hash) ?? 0) > Date.now()
  }

  /** Resolves when it outlives the process, if there is a folder. @throws {QueueFullError} */
  async add({ hash, until }: Revocation): Promise<void> {
    const known = this.#untilOf.get(hash)
    if (known !== undefined && known >= until) return
    if (known === undefined && this.#untilOf.size >= this.#most) await this.#forgetExpired()
    if (known === undefined && this.#untilOf.size >= this.#most) throw new QueueFullError(`${this.#most} revocations wait for Redis already`)
    this.#untilOf.set(hash, until)
    if (this.#folder === undefined) return
    const file = await open(join(this.#folder, `${hash}.${until}`), 'w', 0o600)
    await file.sync().finally(() => file.close())
    // The name is in the folder, and that has to be on the disk as well.
    const folder = await open(this.#folder, 'r')
    await folder.sync().finally(() => folder.close())
    if (known !== undefined) await this.#unlink({ hash, until: known })
  }

  async remove(revocation: Revocation): Promise<void> {
    if (this.#untilOf.get(revocation.hash) === revocation.until) this.#untilOf.delete(revocation.hash)
    await this.#unlink(revocation)
  }

  all(): Revocation[] {
    return Array.from(this.#untilOf, ([hash, until]) => ({ hash, until }))
  }

  #find(name: string): void {
    const [, hash, until] = FILE.exec(name) ?? []
    if (hash !== undefined && Number(until) > (this.#untilOf.get(hash) ?? 0)) this.#untilOf.set(hash, Number(until))
  }

  async #forgetExpired(): Promise<void> {
    const now = Date.now()
    await Promise.all(this.all().filter(({ until }) => until <= now).map((revocation) => this.remove(revocation)))
  }

  /** Another process may have done it. */
  async #unlink({ hash, until }: Revocation): Promise<void> {
    if (this.#folder !== undefined) await unlink(join(this.#folder, `${hash}.${until}`)).catch(() => {})
  }
}
