export { startFakeClock, type FakeClock, type FakeClockOptions } from './fake-clock.js'
