import { expect, test } from 'vitest'
import { workInOrder } from '../../src/activities/in-order.js'

async function* numbers(count: number): AsyncGenerator<number> {
  for (let number = 1; number <= count; number += 1) yield number
}

const always = (): boolean => true

test('work is done several at a time, and its results are in order', async () => {
  let open = 0
  let mostOpen = 0
  const work = async (number: number): Promise<number> => {
    mostOpen = Math.max(mostOpen, (open += 1))
    // The earlier, the longer.
    for (let turn = 10; turn > number; turn -= 1) await Promise.resolve()
    open -= 1
    return number * 10
  }

  const done = await workInOrder(numbers(5), { concurrency: 3, mayGoOn: always, work })

  expect(done).toEqual({ results: [10, 20, 30, 40, 50], isExhausted: true })
  expect(mostOpen).toBe(3)
})

test('what follows work without a result does not count, and nothing more is taken', async () => {
  const taken: number[] = []
  const work = (number: number): Promise<number | undefined> => {
    taken.push(number)
    return Promise.resolve(number === 2 ? undefined : number)
  }

  const done = await workInOrder(numbers(9), { concurrency: 2, mayGoOn: always, work })

  expect(done).toEqual({ results: [1], isExhausted: false })
  expect(taken.length).toBeLessThan(5)
})

test('work that fails is a gap, and the failure is told', async () => {
  const error = new Error('no answer')
  const work = (number: number): Promise<number> =>
    number === 3 ? Promise.reject(error) : Promise.resolve(number)

  const done = await workInOrder(numbers(9), { concurrency: 1, mayGoOn: always, work })

  expect(done).toEqual({ results: [1, 2], isExhausted: false, error })
})

test('a source that fails is not taken for one that is exhausted', async () => {
  const error = new Error('no answer')
  async function* failing(): AsyncGenerator<number> {
    yield 1
    throw error
  }

  const done = await workInOrder(failing(), {
    concurrency: 4,
    mayGoOn: always,
    work: (n) => Promise.resolve(n),
  })

  expect(done).toEqual({ results: [1], isExhausted: false, error })
})

test('it stops when it may not go on, and goes on to the end of what it has taken', async () => {
  const taken: number[] = []
  const work = (number: number): Promise<number> => Promise.resolve(taken.push(number))

  const done = await workInOrder(numbers(9), { concurrency: 1, mayGoOn: () => taken.length < 4, work })

  expect(done).toEqual({ results: [1, 2, 3, 4], isExhausted: false })
})
