/** One line of what is being done. */
export function say(text) {
  process.stdout.write(`  ${text}\n`);
}

/** Says that it begins and how long it took. */
export async function timed(text, work) {
  say(`${text} …`);
  const begun = Date.now();
  const result = await work();
  say(`${text}: done in ${Math.round((Date.now() - begun) / 1000)} s.`);
  return result;
}

/** Why it can't go on, in one sentence that says what to do. */
export class Fault extends Error {}

/** Runs a command of this folder; a Fault becomes its one sentence and the exit code 1. */
export async function run(work) {
  try {
    await work();
  } catch (error) {
    process.stderr.write(error instanceof Fault ? `${error.message}\n` : `${error.stack ?? error}\n`);
    process.exit(1);
  }
}
