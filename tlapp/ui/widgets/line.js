/* The line to the server: asked for only while news are awaited, or after a button was pressed, and
   when none have come for a while. */

const QUIET_MS = 6000; // news of what goes on come up to four times a second, but a slow step takes longer
const ASK_MS = 2000;
const PATIENCE_MS = 10000; // a server at work on all cores answers late

/** Whether the server says anything at all. */
async function answers() {
  try {
    await fetch(serverAddress("/app_id"), { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    return true;
  } catch {
    return false;
  }
}

/** `isAwaited()`: whether news should come; `onChange(isLost)`. Gives what to call when some have come. */
function watchLine(isAwaited, onChange) {
  let heardAt = performance.now();
  let isLost = false;
  let wasPressed = false; // since the server last answered
  document.addEventListener("click", (event) => { wasPressed ||= Boolean(event.target.closest("button")); });
  const isAsked = () => isAwaited() || wasPressed;
  const tell = (isLostNow) => {
    if (isLostNow === isLost) return;
    isLost = isLostNow;
    onChange(isLost);
  };
  const look = async () => {
    const askedAt = performance.now();
    const isQuiet = isAsked() && !document.hidden && askedAt - heardAt > QUIET_MS;
    const isSilent = isQuiet && !(await answers());
    wasPressed &&= isSilent || !isQuiet;
    tell(isSilent && heardAt < askedAt && isAsked());
    setTimeout(look, ASK_MS);
  };
  setTimeout(look, ASK_MS);
  return () => {
    heardAt = performance.now();
    tell(false);
  };
}
