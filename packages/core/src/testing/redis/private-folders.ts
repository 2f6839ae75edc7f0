import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Those that would be left behind. */
const folders = new Set<string>()

/** A folder that nobody else may read, removed at the latest when this process ends by itself. */
export function makePrivateFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), name))
  reclaimPrivateFolder(folder)
  return folder
}

export function removePrivateFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  entrustPrivateFolder(folder)
}

/** It is up to this process again. */
export function reclaimPrivateFolder(folder: string): void {
  if (folders.size === 0) process.on('exit', removeAll)
  folders.add(folder)
}

/** Somebody else sees to it that it is removed when this process ends, or it is gone. */
export function entrustPrivateFolder(folder: string): void {
  folders.delete(folder)
  if (folders.size === 0) process.off('exit', removeAll)
}

function removeAll(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}
