import { expect, it, vi } from 'vitest'
import { Page } from '../../../core/test/docs/tables.js'
import { describeWithRedis, startRedis } from '../../../core/test/redis/server/index.js'
import { soon } from '../ground/ground.js'
import { useEverything, useStreams } from './everything.js'

const page = new Page('docs/Reference/realtime.md')

/** `app:events:<session>` as what it stands for. */
function matcherOf(name: string): RegExp {
  const parts = name.split(/<\w+>/).map((part) => part.replaceAll(/[{}.]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^:{}]+')}$`)
}

/** What the page allows the user of a Redis. */
function rights(): string[] {
  return /ACL SETUSER realtime on (.*)$/m.exec(page.section('What its user must be allowed'))?.[1]?.split(' ') ?? []
}

describeWithRedis('the keys and rights that the page names', () => {
  it('are those that are used, all of them and no others, and every key expires', async () => {
    const rows = page.section('Keys').split('\n').filter((line) => line.startsWith('| `'))
    const namesOf = (lines: readonly string[]) => lines.flatMap((line) => Array.from(line.split('|')[1]?.matchAll(/`([^`]+)`/g) ?? [], ([, name = '']) => name))
    const names = namesOf(rows)
    // What lives a second only need not be met.
    const lastingNames = namesOf(rows.filter((row) => !row.endsWith('| 1 s |')))
    const rule = rights()
    const server = await startRedis()
    try {
      await server.cli('ACL', 'SETUSER', 'realtime', 'on', ...rule)
      await server.cli('CONFIG', 'RESETSTAT')
      const keys: string[] = []
      const lasting: string[] = []
      await useEverything(server.url.replace('redis://', 'redis://realtime:password@'), async () => {
        // Nobody waits for the end of a subscription.
        await vi.waitFor(async () => expect(String(await server.cli('INFO', 'commandstats'))).toContain('cmdstat_punsubscribe'), soon)
        for (const key of (await server.cli('KEYS', '*')) as string[]) {
          keys.push(key)
          if ((await server.cli('PTTL', key)) === -1) lasting.push(key)
        }
        // What is done at the end is sent as a whole again.
        await server.cli('SCRIPT', 'FLUSH')
      })
      expect(keys.filter((key) => !names.some((name) => matcherOf(name).test(key))), 'keys without a row').toEqual([])
      expect(lastingNames.filter((name) => !keys.some((key) => matcherOf(name).test(key))), 'rows without a key').toEqual([])
      expect(lasting, 'keys that stay').toEqual([])
      const stats = String(await server.cli('INFO', 'commandstats'))
      const used = new Set(Array.from(stats.matchAll(/cmdstat_([\w|]+):calls=[1-9]/g), ([, command = '']) => command))
      expect(stats, 'refused').not.toMatch(/rejected_calls=[1-9]/)
      expect(rule.filter((word) => word.startsWith('+') && !used.has(word.slice(1))), 'rights that nobody needs').toEqual([])
    } finally {
      await server.stop()
    }
  })

  it('are enough for Socket.IO by streams, with those that the page adds for it', async () => {
    const added = /`adapter: 'streams'` also (.*?)\. /.exec(page.section('What its user must be allowed'))?.[1]?.match(/\+\w+/g) ?? []
    const server = await startRedis()
    try {
      await server.cli('ACL', 'SETUSER', 'realtime', 'on', ...rights(), ...added)
      await server.cli('CONFIG', 'RESETSTAT')
      expect(added).not.toEqual([])
      await useStreams(server.url.replace('redis://', 'redis://realtime:password@'), async () => {
        await vi.waitFor(async () => expect(await server.cli('KEYS', '*')).toEqual(['app:socket.io']), soon)
      })
      expect(await server.cli('INFO', 'commandstats'), 'refused').not.toMatch(/rejected_calls=[1-9]/)
    } finally {
      await server.stop()
    }
  })
})
