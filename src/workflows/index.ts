export { syncEvent } from './sync-event.js'
