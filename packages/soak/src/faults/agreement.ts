import type { RedisCluster, RedisServer } from '@tiercel/core/testing'

const MASTERS = 3

/** Whether all nodes of a cluster answer, say that it is up, and name the same masters: before that there is no cluster that anybody could use. */
export async function agree({ nodes }: RedisCluster): Promise<boolean> {
  const views = await Promise.all(nodes.map((node) => viewOf(node).catch(() => undefined)))
  const [first] = views
  return first !== undefined && views.every((view) => view === first)
}

/** Which ranges of slots who serves, as this node sees it; `undefined` while it serves nothing itself, or cannot be asked. */
async function viewOf(node: RedisServer): Promise<string | undefined> {
  if (!String(await node.cli('CLUSTER', 'INFO')).includes('cluster_state:ok')) return undefined
  const lines = String(await node.cli('CLUSTER', 'NODES')).trim().split('\n')
  const masters = lines.flatMap((line) => {
    const [id, , flags = '', , , , , link, ...slots] = line.split(' ')
    const isThere = !flags.includes('fail') && (link === 'connected' || flags.includes('myself'))
    return flags.includes('master') && slots.length > 0 && isThere ? [`${id} ${slots.join(' ')}`] : []
  })
  return masters.length === MASTERS ? masters.sort().join('\n') : undefined
}
