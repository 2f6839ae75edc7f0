/** How long a lease outlives an owner that died. */
export const LEASE_MS = 3000
