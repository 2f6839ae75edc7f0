export { createRateLimiter, type LimitDecision, type LimiterOutage, type RateLimiter, type RateLimiterHealth, type RateLimiterOptions, type RateLimiterStats } from './rate-limiter.js'
export { type LimitedRequest, limitRequests, type LimitRequestsOptions } from './limit-requests.js'
