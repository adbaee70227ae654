export { releaseEndpoint } from './release-endpoint.js'
export { syncEvent } from './sync-event.js'
export { syncGroup } from './sync-group.js'
