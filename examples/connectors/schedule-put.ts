import type { EndpointSettings } from '../../src/domain/endpoint.js'

/**
 * A scheduler whose API keeps each schedule at an address of its own: `schedule.updated` as
 * `PUT /schedules/{id}`. Settings alone; register them with `registerEndpoint('EMS-Scheduler', …)`.
 */
export function scheduleEndpoint(url: string): EndpointSettings {
  return {
    url,
    events: ['schedule.updated'],
    connector: {
      method: '"PUT"',
      // Without this check a schedule without an id would replace the whole collection.
      path: '"schedules/" & ($exists(data.id) ? $encodeUrlComponent(data.id) : $error("data.id is missing"))',
      headers: { 'idempotency-key': 'id' },
      body: '{ "name": data.name, "shifts": [data.shifts.{ "from": start, "to": end, "unit": unit }], "updatedAt": time }',
    },
  }
}
