/**
 * The time that really passes, also under a fake clock: faults, waits for servers and records of what happened go by it.
 *
 * What a fake clock replaces are properties of objects and the objects themselves, so this keeps those it was loaded with, and takes
 * `now` from the prototype, where nobody replaces it.
 */
const { setTimeout, clearTimeout, setInterval, setImmediate, performance, Date } = globalThis
const now = (Object.getPrototypeOf(performance) as typeof performance).now

const originMs = findOrigin()

/**
 * What lies between two readings is an error of everything compared across processes, and a busy machine may be elsewhere in between: the readings that were
 * closest together count.
 */
function findOrigin(): number {
  let [closestMs, origin] = [Number.POSITIVE_INFINITY, 0]
  for (let attempt = 0; attempt < 10; attempt++) {
    const before = Number(process.hrtime.bigint()) / 1e6
    const reading = now.call(performance)
    const apartMs = Number(process.hrtime.bigint()) / 1e6 - before
    if (apartMs >= closestMs) continue
    closestMs = apartMs
    origin = before + apartMs / 2 - reading
  }
  return origin
}

/** Milliseconds, with fractions, of the monotonic clock that all processes of a machine share. */
export function monotonicMs(): number {
  return now.call(performance) + originMs
}

export function realPause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** Lets what is ready to run do so. */
export function realTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

export {
  setTimeout as setRealTimeout,
  clearTimeout as clearRealTimeout,
  setInterval as setRealInterval,
  setImmediate as setRealImmediate,
  Date as RealDate,
}
