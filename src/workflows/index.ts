// Loaded once for all workflows of a worker: no module of workflow code keeps anything between two of them.
export { releaseEndpoint } from './release-endpoint.js'
export { replayEvents } from './replay-events.js'
export { syncEvent } from './sync-event.js'
export { syncGroup } from './sync-group.js'
