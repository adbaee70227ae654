import { expect, test } from 'vitest'
import type { Verdict } from '../../src/delivery/classify.js'
import { createEndpointHealth } from '../../src/delivery/endpoint-health.js'

const EMS = { name: 'EMS', version: 'v1' }
const FAILURE: Verdict = { kind: 'retry' }
const SUCCESS: Verdict = { kind: 'delivered' }

/** A health with a clock of its own; attempts take no time unless told otherwise. */
function openHealth() {
  let now = 1_000_000
  const health = createEndpointHealth()
  const observe = (
    verdict: Verdict,
    { durationMs = 0, hasWaited = false, isAnswered = true, endpoint = EMS } = {},
  ): boolean =>
    health.observe(endpoint, { verdict, isAnswered, startedAt: now - durationMs, durationMs, hasWaited })
  return {
    health,
    observe,
    now: () => now,
    pass: (ms: number) => void (now += ms),
    /** Five failures over ten seconds. */
    goDown: () => {
      for (let failures = 1; failures <= 5; failures += 1) {
        observe(FAILURE)
        if (failures < 5) now += 2_500
      }
    },
  }
}

test('an endpoint is down after five failures in a row over ten seconds', () => {
  const { health, observe, pass } = openHealth()
  for (let failures = 1; failures <= 4; failures += 1) observe(FAILURE)
  pass(10_000)
  expect(health.isDown(EMS)).toBe(false)

  observe(FAILURE)

  expect(health.isDown(EMS)).toBe(true)
  expect(health.isDown({ name: 'Hospital', version: 'v1' })).toBe(false)
})

test('failures that come at once are no outage yet, however many they are', () => {
  const { health, observe, pass } = openHealth()
  for (let failures = 1; failures <= 100; failures += 1) observe(FAILURE)
  expect(health.isDown(EMS)).toBe(false)

  pass(9_999)
  observe(FAILURE)
  expect(health.isDown(EMS)).toBe(false)
  pass(1)
  observe(FAILURE)
  expect(health.isDown(EMS)).toBe(true)
})

test('an attempt that hangs counts from its beginning', () => {
  const { health, observe, pass } = openHealth()
  pass(20_000)

  for (let failures = 1; failures <= 5; failures += 1) observe(FAILURE, { durationMs: 20_000 })

  expect(health.isDown(EMS)).toBe(true)
})

test.for<[what: string, verdict: Verdict]>([
  ['a delivery', SUCCESS],
  ['the rejection of an event', { kind: 'wait', reason: 'rejected' }],
])('%s ends an outage, and begins the count anew', ([, verdict]) => {
  const { health, observe, goDown } = openHealth()
  goDown()

  observe(verdict)

  expect(health.isDown(EMS)).toBe(false)
  observe(FAILURE)
  expect(health.isDown(EMS)).toBe(false)
})

test('an answer that says the settings are wrong ends no outage', () => {
  const { health, observe, goDown } = openHealth()
  goDown()

  observe({ kind: 'wait', reason: 'misconfigured' })

  expect(health.isDown(EMS)).toBe(true)
})

test('other settings are another endpoint', () => {
  const { health, goDown } = openHealth()
  goDown()

  expect(health.isDown({ name: 'EMS', version: 'v2' })).toBe(false)
})

test('while an endpoint is down, one attempt every spacing is due, and no more on average', () => {
  const { health, goDown, pass, now } = openHealth()
  goDown()
  let probes = 0
  for (let ms = 0; ms < 60_000; ms += 100) {
    if (health.isProbeDue(EMS, now())) {
      health.probe(EMS, 3_000, now())
      probes += 1
    }
    pass(100)
  }

  expect(probes).toBeGreaterThanOrEqual(20)
  expect(probes).toBeLessThanOrEqual(21)
})

test('one delivery at a time goes to make a probe that is due', () => {
  const { health, now, pass, goDown } = openHealth()
  goDown()
  expect(health.goesToProbe(EMS, now())).toBe(true)
  expect(health.goesToProbe(EMS, now())).toBe(false)
  pass(1_000)
  expect(health.goesToProbe(EMS, now())).toBe(true)
  health.probe(EMS, 3_000, now())
  pass(1_000)

  expect(health.goesToProbe(EMS, now())).toBe(false)
})

test('a success tells those that wait, once', () => {
  const { health, observe, goDown } = openHealth()
  goDown()
  health.keepWaiting(EMS)

  expect(observe(SUCCESS)).toBe(true)
  expect(observe(SUCCESS)).toBe(false)
})

test('a success that follows failures tells nobody where nobody waits', () => {
  const { observe, goDown } = openHealth()
  observe(FAILURE)
  expect(observe(SUCCESS)).toBe(false)

  goDown()
  expect(observe(SUCCESS)).toBe(false)
})

test('the success of a delivery that has waited is news to a worker that has seen none', () => {
  const { observe } = openHealth()

  expect(observe(SUCCESS, { hasWaited: true })).toBe(true)
  expect(observe(SUCCESS, { hasWaited: true })).toBe(false)
})

test('an endpoint that fails now and then tells those that wait every ten seconds at most', () => {
  const { observe, pass } = openHealth()
  expect(observe(SUCCESS, { hasWaited: true })).toBe(true)

  observe(FAILURE)
  expect(observe(SUCCESS, { hasWaited: true })).toBe(false)
  pass(10_000)
  expect(observe(SUCCESS, { hasWaited: true })).toBe(true)
})

test('where those that wait could not be told, the next success tells them', () => {
  const { health, observe, goDown } = openHealth()
  goDown()
  health.keepWaiting(EMS)
  observe(SUCCESS)

  health.forgetRecovery(EMS)

  expect(observe(SUCCESS)).toBe(true)
})

test('an endpoint is quick until an attempt fails or takes more than a second', () => {
  const { health, observe } = openHealth()
  expect(health.isQuick('EMS')).toBe(true)

  observe(SUCCESS, { durationMs: 1_001 })
  expect(health.isQuick('EMS')).toBe(false)
  observe(SUCCESS, { durationMs: 1_000 })
  expect(health.isQuick('EMS')).toBe(true)
  observe(FAILURE)
  expect(health.isQuick('EMS')).toBe(false)
})

test('an endpoint at its limit that answers none of its attempts is down, until it answers one', () => {
  const { health, observe, now, pass } = openHealth()
  observe(SUCCESS)
  pass(1)
  const ends = Array.from({ length: 5 }, () => health.begin(EMS, now()))
  pass(4_999)
  expect(health.hangs(EMS, now(), true)).toBe(false)
  pass(1)
  expect(health.hangs(EMS, now(), true)).toBe(true)
  expect(health.isDown(EMS)).toBe(true)
  health.keepWaiting(EMS)

  ends[0]!()
  expect(observe(SUCCESS, { durationMs: 5_000 })).toBe(true)

  expect(health.isDown(EMS)).toBe(false)
  expect(health.hangs(EMS, now(), true)).toBe(false)
})

test('one that has answered nothing yet is down sooner', () => {
  const { health, now, pass } = openHealth()
  for (let attempts = 1; attempts <= 5; attempts += 1) health.begin(EMS, now())
  pass(999)
  expect(health.hangs(EMS, now(), true)).toBe(false)
  pass(1)

  expect(health.hangs(EMS, now(), true)).toBe(true)
})

test('one that thirty deliveries wait for is down after a quarter of a second, whatever its limit', () => {
  const { health, observe, now, pass } = openHealth()
  observe(SUCCESS)
  pass(1)
  for (let attempts = 1; attempts <= 29; attempts += 1) health.begin(EMS, now())
  pass(4_000)
  expect(health.hangs(EMS, now(), false)).toBe(false)
  health.begin(EMS, now())

  expect(health.hangs(EMS, now(), false)).toBe(true)
  expect(health.isDown(EMS)).toBe(true)
})

test('what waits for the first answer counts, and has waited for a quarter of a second too', async () => {
  const { health, observe, now, pass } = openHealth()
  for (let attempts = 1; attempts <= 10; attempts += 1) health.begin(EMS, now())
  const heard = Array.from({ length: 20 }, () => health.untilObserved(EMS, 60_000))
  pass(249)
  expect(health.hangs(EMS, now(), true)).toBe(false)
  pass(1)

  expect(health.hangs(EMS, now(), true)).toBe(true)
  observe(SUCCESS)
  await Promise.all(heard)
})

test('one that takes its time has twice as long as its last answer took', () => {
  const { health, observe, now, pass } = openHealth()
  observe(SUCCESS, { durationMs: 400 })
  observe(FAILURE, { durationMs: 2_000, isAnswered: false })
  observe(FAILURE, { isAnswered: false })
  pass(1)
  for (let attempts = 1; attempts <= 30; attempts += 1) health.begin(EMS, now())
  pass(799)
  expect(health.hangs(EMS, now(), false)).toBe(false)
  pass(1)

  expect(health.hangs(EMS, now(), false)).toBe(true)
})

test('an endpoint is silent until it answers, or fails at once, and after what took long and had no answer', () => {
  const { health, observe } = openHealth()
  expect(health.isSilent(EMS)).toBe(true)
  observe(FAILURE)
  expect(health.isSilent(EMS)).toBe(false)
  observe(FAILURE, { durationMs: 1_001, isAnswered: false })
  expect(health.isSilent(EMS)).toBe(true)
  observe(FAILURE, { durationMs: 1, isAnswered: false })
  expect(health.isSilent(EMS)).toBe(false)
  observe(SUCCESS, { durationMs: 5_000 })
  expect(health.isSilent(EMS)).toBe(false)
  expect(health.isSilent({ ...EMS, version: 'v2' })).toBe(true)
})

test('who waits for an observation hears of the next one of that endpoint, or of none in time', async () => {
  const { health, observe } = openHealth()
  const heard = [health.untilObserved(EMS, 60_000), health.untilObserved(EMS, 60_000)]
  observe(SUCCESS)
  await Promise.all(heard)

  await health.untilObserved(EMS, 1)
})

test('attempts that took long before an answer came to one of them say nothing', () => {
  const { health, observe, now, pass } = openHealth()
  for (let attempts = 1; attempts <= 10; attempts += 1) health.begin(EMS, now())
  pass(4_000)
  observe(SUCCESS, { durationMs: 4_000 })
  pass(60_000)

  expect(health.hangs(EMS, now(), true)).toBe(false)
})

test('attempts that have ended do not hang', () => {
  const { health, now, pass } = openHealth()
  const ends = Array.from({ length: 5 }, () => health.begin(EMS, now()))
  pass(10_000)
  ends[4]!()

  expect(health.hangs(EMS, now(), true)).toBe(false)
})
