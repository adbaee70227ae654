import { read, send } from './api.js'
import { byId, setText } from './dom.js'

/**
 * Whether one must sign in here, and has.
 * @returns {Promise<{ isNeeded: boolean, isThere: boolean }>}
 */
export async function readSession() {
  const answer = await read('/session')
  return answer?.body
}

/**
 * Asks for a token until one is accepted.
 * @returns {Promise<void>}
 */
export function signIn() {
  const section = byId('sign-in', HTMLElement)
  const form = byId('sign-in-form', HTMLFormElement)
  const field = byId('token', HTMLInputElement)
  const problem = byId('sign-in-problem', HTMLElement)
  section.hidden = false
  field.focus()
  return new Promise((resolve) => {
    const listening = new AbortController()
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault()
      send('POST', '/session', { token: field.value.trim() }).then(
        () => {
          field.value = ''
          problem.hidden = true
          section.hidden = true
          listening.abort()
          resolve()
        },
        (error) => {
          setText(problem, explain(error))
          problem.hidden = false
          field.setAttribute('aria-invalid', 'true')
          field.select()
        },
      )
    }
    form.addEventListener('submit', submit, { signal: listening.signal })
  })
}

/** @param {import('./api.js').ApiError} error */
function explain(error) {
  if (error.status === 401 || error.status === 422) return 'This token is not known. Is it complete?'
  if (error.status === 403)
    return 'This token may emit events only. The page needs one of the role operate or admin.'
  return `That did not work: ${error.message}`
}

/** @returns {Promise<void>} */
export function signOut() {
  return send('DELETE', '/session')
}
