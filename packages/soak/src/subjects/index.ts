import { openBentocache } from './bentocache.js'
import { openCacheable } from './cacheable.js'
import type { Place, Subject } from './subject.js'
import { openTiercel } from './tiercel.js'

export type SubjectName = keyof typeof subjects

export const subjects = {
  tiercel: openTiercel,
  bentocache: openBentocache,
  cacheable: openCacheable,
} satisfies Record<string, (place: Place) => Promise<Subject>>
