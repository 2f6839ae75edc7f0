import express from 'express4'
import { withRedis } from './combination.js'

withRedis('Express 4', express)
