import { expect, it, vi } from 'vitest'
import { failureOf } from './failure-of.js'
import { describeCaches } from './harness.js'
import { heard } from './heard.js'
import { heldLoader } from './held-loader.js'

/** A loader that ends with its signal, as `fetch` does. */
const obedient = (began: () => void = () => {}) =>
  vi.fn(
    ({ signal }: { signal: AbortSignal }) =>
      new Promise<string>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
        began()
      }),
  )

describeCaches('cancellation', ({ make, pass }) => {
  it('rejects with the reason of the signal, and aborts the load nobody waits for any more', async () => {
    const cache = make()
    const patience = new AbortController()
    const load = heldLoader()
    const reason = new Error('the client went away')
    const failure = failureOf(cache.getOrSet('k', load, { signal: patience.signal }))
    const loading = await load.called()
    expect(loading.ctx.signal.aborted).toBe(false)
    patience.abort(reason)
    expect(await failure).toBe(reason)
    expect(loading.ctx.signal.aborted).toBe(true)
  })

  it('loads nothing when the signal is aborted already, also when the value is there', async () => {
    const cache = make()
    const load = vi.fn(() => 'v')
    await cache.set('cached', 'v')
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(cache.getOrSet('k', load, { signal })).rejects.toThrow('too late')
    await expect(cache.getOrSet('cached', load, { signal })).rejects.toThrow('too late')
    expect(load).not.toHaveBeenCalled()
  })

  it('lets the load go on for others who wait', async () => {
    const cache = make()
    const patience = new AbortController()
    const load = heldLoader()
    const failure = failureOf(cache.getOrSet('k', load, { signal: patience.signal }))
    const other = cache.getOrSet('k', load)
    const loading = await load.called()
    await pass(1)
    patience.abort(new Error('enough'))
    expect(String(await failure)).toContain('enough')
    expect(loading.ctx.signal.aborted).toBe(false)
    loading.succeed('v')
    expect(await other).toBe('v')
    expect(await cache.get('k')).toBe('v')
  })

  it('aborts when the last of several gives up', async () => {
    const cache = make()
    const load = heldLoader()
    const controllers = [new AbortController(), new AbortController()]
    const calls = controllers.map(({ signal }) => cache.getOrSet('k', load, { signal }))
    const settled = Promise.allSettled(calls)
    const loading = await load.called()
    await pass(1)
    controllers[0]?.abort()
    expect(loading.ctx.signal.aborted).toBe(false)
    controllers[1]?.abort()
    await settled
    expect(loading.ctx.signal.aborted).toBe(true)
  })

  it('starts a new load for a call that comes after everybody gave up', async () => {
    const cache = make()
    const patience = new AbortController()
    const load = heldLoader()
    const failure = failureOf(cache.getOrSet('k', load, { signal: patience.signal }))
    const first = await load.called(1)
    patience.abort(new Error('enough'))
    expect(String(await failure)).toContain('enough')
    const next = cache.getOrSet('k', load)
    const second = await load.called(2)
    first.succeed('abandoned')
    second.succeed('new')
    expect(await next).toBe('new')
    expect(await cache.get('k')).toBe('new')
  })

  it('does not store what a load gives after everybody gave up', async () => {
    const cache = make()
    const patience = new AbortController()
    const load = heldLoader()
    const failure = failureOf(cache.getOrSet('k', load, { signal: patience.signal }))
    const loading = await load.called()
    patience.abort(new Error('enough'))
    expect(String(await failure)).toContain('enough')
    loading.succeed('abandoned')
    await pass(0)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('keeps a load going that somebody was served something stale for', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await pass(1000)
    const patience = new AbortController()
    const load = heldLoader()
    const slow = cache.getOrSet('k', load, { softTimeout: 100 })
    const failure = failureOf(cache.getOrSet('k', load, { signal: patience.signal }))
    const loading = await load.called()
    await pass(100)
    expect(await slow).toBe('old')
    patience.abort(new Error('enough'))
    expect(String(await failure)).toContain('enough')
    expect(loading.ctx.signal.aborted).toBe(false)
    loading.succeed('new')
    await pass(0)
    expect(await cache.get('k')).toBe('new')
  })

  it('does not serve something stale to a caller who gave up', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await pass(1000)
    const patience = new AbortController()
    const load = heldLoader()
    const failure = failureOf(cache.getOrSet('k', load, { signal: patience.signal }))
    await load.called()
    patience.abort(new Error('enough'))
    expect(String(await failure)).toContain('enough')
    expect(cache.stats().stale).toBe(0)
  })

  it('does not put the next load off because the callers of the last one gave up', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await pass(1000)
    const patience = new AbortController()
    const began = deferred()
    const failure = failureOf(cache.getOrSet('k', obedient(began.resolve), { signal: patience.signal }))
    await began.promise
    patience.abort(new Error('enough'))
    expect(String(await failure)).toContain('enough')
    await pass(0)
    expect(await cache.getOrSet('k', () => 'new')).toBe('new')
  })

  it('does not tell of a load that ended because everybody gave up as of an error', async () => {
    const logger = { warn: vi.fn(), error: vi.fn() }
    const cache = make({ logger })
    const errors = heard(cache, 'error')
    const patience = new AbortController()
    const began = deferred()
    const failure = failureOf(cache.getOrSet('k', obedient(began.resolve), { signal: patience.signal }))
    await began.promise
    patience.abort(new Error('enough'))
    expect(String(await failure)).toContain('enough')
    await pass(0)
    expect(errors).toEqual([])
    expect(logger.warn).not.toHaveBeenCalled()
  })

  it('leaves no listener on the signal', async () => {
    const cache = make()
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    await cache.getOrSet('k', async () => 'v', { signal })
    await expect(cache.getOrSet('other', () => Promise.reject(new Error('down')), { signal })).rejects.toThrow('down')
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length)
  })

  it('takes a signal of another realm by its shape, and refuses what is none', async () => {
    const cache = make()
    const listeners = new Set<() => void>()
    const foreign = {
      aborted: false,
      reason: new Error('from elsewhere'),
      addEventListener: (_: string, listener: () => void) => listeners.add(listener),
      removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
      throwIfAborted: () => {},
    }
    const load = heldLoader()
    const failure = failureOf(cache.getOrSet('k', load, { signal: foreign as unknown as AbortSignal }))
    await load.called()
    listeners.forEach((listener) => listener())
    expect(String(await failure)).toContain('from elsewhere')
    expect(listeners.size).toBe(0)
    for (const signal of [{}, 'abort', 5, null]) {
      await expect(cache.getOrSet('k', load, { signal: signal as unknown as AbortSignal })).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION' })
    }
  })
})

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}
