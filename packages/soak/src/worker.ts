// One of the processes: has a cache and uses it, and tells what it saw.
import { setTimeout as pause } from 'node:timers/promises'
import { createConsistencyRecorder } from '@tiercel/core/testing'
import { openDatabase } from './database.js'
import { subjects, type SubjectName } from './subjects/index.js'
import type { Place } from './subjects/subject.js'
import { Workload } from './workload.js'
import type { Order, Word } from './workers.js'

const TELL_MS = 200
/** A call that has not ended by then never will: the longest wait there is is that for another process to load, which has 10 s. */
const PATIENCE_MS = 30_000

const [name = '', seed = '', databaseUrl = '', place = ''] = process.argv.slice(2)
const { index, ...rest } = JSON.parse(place) as Place
const tell = (word: Word) => process.send?.(word)

process.on('unhandledRejection', (error) => tell({ say: 'crashed', why: `unhandled rejection: ${String(error)}` }))
process.on('uncaughtException', (error) => tell({ say: 'crashed', why: `uncaught: ${String(error)}` }))
process.on('disconnect', () => process.exit(0))

const database = await openDatabase(databaseUrl)
const subject = await subjects[name as SubjectName]({ index, ...rest })
const recorder = createConsistencyRecorder(`process ${index}`)
const workload = new Workload(subject, database, recorder, index, rest.callers, Number(seed))
const report = () => tell({ say: 'saw', batch: recorder.take() })
const reporting = setInterval(report, TELL_MS)
let running = Promise.resolve()

const orders: Record<Order, () => Promise<Word>> = {
  async begin() {
    running = workload.run()
    return { say: 'done' }
  },
  async stop() {
    workload.stop()
    await Promise.race([running, pause(PATIENCE_MS)])
    return { say: 'done', pending: workload.pending }
  },
  async hasRecovered() {
    return { say: 'done', is: subject.hasRecovered() }
  },
  async rest() {
    await Promise.race([workload.readAtRest(), pause(PATIENCE_MS)])
    return { say: 'done' }
  },
  async end() {
    clearInterval(reporting)
    report()
    const figures = workload.tally.figures(subject.counts())
    await Promise.race([subject.close().catch(() => {}), pause(PATIENCE_MS)])
    database.close()
    return { say: 'done', figures }
  },
}

process.on('message', (order: Order) => {
  orders[order]().then(tell, (error: unknown) => tell({ say: 'crashed', why: String(error) }))
})
tell({ say: 'done' })
