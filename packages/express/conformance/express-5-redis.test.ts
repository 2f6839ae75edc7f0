import express from 'express'
import { withRedis } from './combination.js'

withRedis('Express 5', express)
