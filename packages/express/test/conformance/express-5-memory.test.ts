import express from 'express'
import { inMemory } from '../../conformance/combination.js'

// The one of the four that every change has to pass; `npm run conformance` runs them all.
inMemory('Express 5', express)
