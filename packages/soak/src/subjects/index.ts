import type { Place, Subject } from './subject.js'
import { openTiercel } from './tiercel.js'

export type SubjectName = keyof typeof subjects

export const subjects = {
  tiercel: openTiercel,
} satisfies Record<string, (place: Place) => Promise<Subject>>
