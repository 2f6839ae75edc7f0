import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { describeWithRedis, startRedis } from '../redis/server/index.js'
import { root } from './pages.js'
import { Page } from './tables.js'

interface Service {
  readonly image: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly ports: readonly string[]
  readonly healthcheck: { readonly test: readonly string[] }
  readonly mem_limit: string
  readonly volumes?: readonly string[]
}

const text = readFileSync(join(root, 'docs/Guides/compose.yaml'), 'utf8')
const { services, volumes } = parse(text) as { services: Readonly<Record<'cache' | 'state', Service>>; volumes: object }
const names = ['cache', 'state'] as const
/** The settings that the guide has a row for. */
const rows = new Page('docs/Guides/running-in-production.md').rows('Two services')

describe('compose.yaml', () => {
  it('has a service that may forget, and one that must not', () => {
    expect(Object.keys(services)).toEqual(names)
    expect(services.cache.volumes).toBeUndefined()
    expect(services.state.volumes).toEqual(['state:/data'])
    expect(volumes).toEqual({ state: {} })
  })

  it.each(names)('does not start %s without a password, shows it to nobody outside, and asks it whether it is well', (name) => {
    const { command, environment, ports, healthcheck, image, mem_limit: limit } = services[name]
    const password = `\${REDIS_${name.toUpperCase()}_PASSWORD:?is not set}`
    expect(command.slice(0, 3)).toEqual(['redis-server', '--requirepass', password])
    expect(environment).toEqual({ REDISCLI_AUTH: password })
    expect(ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+:6379$/)])
    expect(healthcheck.test.join(' ')).toContain('redis-cli ping')
    expect(Number(/^redis:(\d+)/.exec(image)?.[1])).toBeGreaterThanOrEqual(7)
    expect(Number.parseInt(limit, 10)).toBeGreaterThan(512)
  })
})

describeWithRedis('the servers of compose.yaml', () => {
  it.each(names.map((name, column) => ({ name, column })))('$name starts with its arguments, and does what the guide says', async ({ name, column }) => {
    const [, , , ...args] = services[name].command
    const server = await startRedis({ password: 'secret', args })
    try {
      const setting = async (of: string) => ((await server.cli('CONFIG', 'GET', of)) as string[])[1]
      for (const of of ['maxmemory-policy', 'appendonly']) expect(rows.get(of)?.[column], of).toBe(`\`${await setting(of)}\``)
      expect(await setting('maxmemory')).toBe(String(512 * 2 ** 20))
    } finally {
      await server.stop()
    }
  })
})
