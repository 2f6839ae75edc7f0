export * from './opentelemetry/index.js'
