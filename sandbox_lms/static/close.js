// The tool in the frame says that its registration is over.
const frame = document.querySelector("iframe[data-closed]");
window.addEventListener("message", (event) => {
  if (event.source === frame.contentWindow && event.data && event.data.subject === "org.imsglobal.lti.close") {
    location.assign(frame.dataset.closed);
  }
});
