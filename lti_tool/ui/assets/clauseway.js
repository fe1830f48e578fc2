// Small comforts on pages that work without them: focus on the error summary, no double posting,
// and a plain word when an answer could not be sent. Loaded as a module from our own origin.
import { Button, Checkboxes, ErrorSummary, NotificationBanner, Radios, SkipLink, createAll } from './govuk-frontend.js'

document.body.classList.add('js-enabled', 'govuk-frontend-supported')
createAll(Button, { preventDoubleClick: true })
for (const component of [Checkboxes, ErrorSummary, NotificationBanner, Radios, SkipLink]) {
  createAll(component)
}

// A form marked data-keep stays on the page with its choices when the connection is lost:
// <form method="post" data-keep><p class="cw-not-saved" role="alert" hidden>…</p>
for (const form of document.querySelectorAll('form[data-keep]')) {
  const warning = form.querySelector('.cw-not-saved')
  form.addEventListener('submit', (event) => {
    if (navigator.onLine || !warning) return
    event.preventDefault()
    warning.hidden = false
  })
}

// <button type="button" class="cw-print" hidden>: only shown where printing can work.
for (const button of document.querySelectorAll('.cw-print')) {
  button.hidden = false
  button.addEventListener('click', () => window.print())
}
