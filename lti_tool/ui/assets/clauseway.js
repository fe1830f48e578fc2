// Small comforts on pages that work without them: focus on the error summary, no double posting,
// and a plain word when an answer could not be sent. Loaded as a module from our own origin.
import { Button, Checkboxes, ErrorSummary, NotificationBanner, Radios, SkipLink, createAll } from './govuk-frontend.js'

document.body.classList.add('js-enabled', 'govuk-frontend-supported')
createAll(Button, { preventDoubleClick: true })
for (const component of [Checkboxes, ErrorSummary, NotificationBanner, Radios, SkipLink]) {
  createAll(component)
}

// A form marked data-keep stays on the page with its choices when the tool cannot be reached:
// it asks first whether anybody answers, and posts itself only then.
// <form method="post" data-keep><p class="cw-not-saved" role="alert" hidden>…</p>
async function isReachable () {
  try {
    const options = { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(5000) }
    return (await fetch('/healthz', options)).ok
  } catch {
    return false
  }
}
for (const form of document.querySelectorAll('form[data-keep]')) {
  const warning = form.querySelector('.cw-not-saved')
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    warning.hidden = true
    if (await isReachable()) form.submit()
    else warning.hidden = false
  })
}

// A form marked data-send is on its way to a platform, and its button is for browsers without this.
document.querySelector('form[data-send]')?.submit()

// <button type="button" class="cw-print" hidden>: only shown where printing can work.
for (const button of document.querySelectorAll('.cw-print')) {
  button.hidden = false
  button.addEventListener('click', () => window.print())
}

// <div id="…" data-refresh="2">: what is in it is fetched anew every so many seconds from this
// page's own address, until it comes without the mark. A .cw-by-hand link does the same by hand.
function keepFresh (region) {
  setTimeout(async () => {
    try {
      const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(5000) })
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
      const fresh = page.getElementById(region.id)
      if (!fresh) return location.reload() // the visit has ended: let the page say so
      if (region.innerHTML !== fresh.innerHTML) region.innerHTML = fresh.innerHTML
      if (!fresh.dataset.refresh) return delete region.dataset.refresh
    } catch {
      // The next time, perhaps.
    }
    keepFresh(region)
  }, 1000 * region.dataset.refresh)
}
for (const region of document.querySelectorAll('[data-refresh]')) keepFresh(region)

// <button type="button" class="cw-close" data-close-to="ORIGIN" hidden>: asks the platform that
// opened this page, in a frame or a window, to close it (Dynamic Registration 1.0, 3.6.1).
for (const button of document.querySelectorAll('.cw-close')) {
  const opener = window.opener || (window.parent !== window ? window.parent : null)
  button.hidden = !opener
  button.addEventListener('click', () => {
    opener.postMessage({ subject: 'org.imsglobal.lti.close' }, button.dataset.closeTo)
  })
}

// In Microsoft Teams every page speaks to it: its theme may change at any moment.
if (document.documentElement.dataset.door === 'teams') import('./teams.js')
