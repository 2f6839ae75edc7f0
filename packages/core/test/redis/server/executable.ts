import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['redis-server', 'valkey-server']

/** The first `redis-server` or `valkey-server` on PATH; on Debian as root it is installed when there is none. */
export function serverExecutable(): string | undefined {
  return onPath() ?? (installOnDebian() ? onPath() : undefined)
}

function onPath(): string | undefined {
  for (const name of NAMES) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const file = join(folder, name)
      if (folder !== '' && isExecutable(file)) return file
    }
  }
  return undefined
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Several workers may get here at once: apt waits for its own lock, and who comes later finds it installed. */
function installOnDebian(): boolean {
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0 || process.env.TIERCEL_NO_INSTALL === '1') return false
  const apt = (...args: string[]) =>
    spawnSync('/usr/bin/apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      stdio: 'ignore',
      timeout: 180_000,
      // Run level 1 keeps the package from starting a server of its own on the usual port.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    }).status === 0
  apt('update')
  return apt('install', '-y', '--no-install-recommends', 'redis-server')
}
