import { byId, setText } from './dom.js'

/** Ends with the question. */
let listening = new AbortController()

/**
 * Asks before something is done, and shows what is wrong where it cannot be. The browser gives the focus back to
 * where it was.
 * @param {object} question
 * @param {string} question.title
 * @param {string} question.text what it means
 * @param {string} question.action what the button says
 * @param {() => Promise<void>} question.act
 */
export function confirm({ title, text, action, act }) {
  listening.abort()
  listening = new AbortController()
  const dialog = byId('confirm', HTMLDialogElement)
  const form = byId('confirm-form', HTMLFormElement)
  const go = byId('confirm-go', HTMLButtonElement)
  const problem = byId('confirm-problem', HTMLElement)
  setText(byId('confirm-title', HTMLElement), title)
  setText(byId('confirm-text', HTMLElement), text)
  setText(go, action)
  problem.hidden = true
  const { signal } = listening
  form.addEventListener('submit', submit, { signal })
  byId('confirm-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close(), { signal })
  dialog.showModal()

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault()
    if (go.ariaDisabled === 'true') return
    go.ariaDisabled = 'true'
    setText(go, 'One moment …')
    problem.hidden = true
    act()
      .then(
        () => dialog.close(),
        (error) => {
          setText(problem, `That did not work: ${error.message}`)
          problem.hidden = false
        },
      )
      .finally(() => {
        go.ariaDisabled = 'false'
        setText(go, action)
      })
  }
}
