import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { findRedisServer } from '../../../src/testing/index.js'

/** The first `redis-server` or `valkey-server` on PATH; on Debian as root it is installed when there is none. */
export function serverExecutable(): string | undefined {
  return findRedisServer() ?? (installOnDebian() ? findRedisServer() : undefined)
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
