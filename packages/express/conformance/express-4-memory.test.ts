import express from 'express4'
import { inMemory } from './combination.js'

inMemory('Express 4', express)
