import { Runtime } from '@temporalio/worker'
import { createLogger } from '../../src/logger.js'
import { temporalLogger } from '../../src/temporal-logger.js'

Runtime.install({ logger: temporalLogger(createLogger('error')), shutdownSignals: [] })
