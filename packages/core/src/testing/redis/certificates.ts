import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MissingProgramError, TestServerError } from '../../errors/index.js'
import { findOnPath } from './executable.js'
import { makePrivateFolder, removePrivateFolder } from './private-folders.js'

/** As PEM. */
export interface Certificates {
  /** What a client must trust. */
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

export interface CertificateOptions {
  /** Names and addresses it is for. Default `localhost` and `127.0.0.1`, where servers for tests listen. */
  readonly hosts?: readonly string[]
  /** Default a day ago, or a day before `validUntil`. */
  readonly validFrom?: Date
  /** Default in a week. A time that is over makes an expired certificate. */
  readonly validUntil?: Date
}

const DAY_MS = 86_400_000

/**
 * A certificate and the authority that signed it, which exists for this one only. Made by `openssl`.
 *
 * @throws {MissingProgramError} when `openssl` is not on PATH.
 */
export async function makeCertificates(options: CertificateOptions = {}): Promise<Certificates> {
  const openssl = findOnPath(['openssl'])
  if (openssl === undefined) throw new MissingProgramError('openssl is not on PATH, and makes the certificates: install it, or pass certificates of your own')
  const { hosts = ['localhost', '127.0.0.1'], validUntil = new Date(Date.now() + 7 * DAY_MS) } = options
  const { validFrom = new Date(Math.min(Date.now(), validUntil.getTime()) - DAY_MS) } = options
  const folder = makePrivateFolder('tiercel-certificates-')
  const run = (...args: readonly string[]) => promisify(execFile)(openssl, [...args, '-config', 'config'], { cwd: folder })
  try {
    await Promise.all([
      writeFile(join(folder, 'config'), configuration(hosts)),
      writeFile(join(folder, 'index'), ''),
      writeFile(join(folder, 'serial'), '01'),
    ])
    const request = ['req', '-batch', '-newkey', 'rsa:2048', '-nodes']
    await Promise.all([
      run(...request, '-x509', '-days', '30', '-extensions', 'authority', '-subj', '/CN=An authority for tests', '-keyout', 'ca.key', '-out', 'ca.crt'),
      run(...request, '-new', '-subj', '/CN=A server for tests', '-keyout', 'key', '-out', 'request'),
    ])
    await run('ca', '-batch', '-notext', '-in', 'request', '-out', 'crt', '-startdate', opensslTime(validFrom), '-enddate', opensslTime(validUntil))
    const [ca, certificate, key] = await Promise.all(['ca.crt', 'crt', 'key'].map((name) => readFile(join(folder, name), 'utf8')))
    return { ca: ca ?? '', certificate: certificate ?? '', key: key ?? '' }
  } catch (error) {
    throw new TestServerError(`openssl did not make a certificate: ${(error as Error).message}`)
  } finally {
    removePrivateFolder(folder)
  }
}

function configuration(hosts: readonly string[]): string {
  return `
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:true
[ca]
default_ca = this
[this]
database = index
serial = serial
new_certs_dir = .
certificate = ca.crt
private_key = ca.key
default_md = sha256
policy = any
x509_extensions = server
[any]
commonName = supplied
[server]
subjectAltName = ${hosts.map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`).join(', ')}
`
}

/** `20261121033912Z`. */
function opensslTime(time: Date): string {
  return time.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
}
