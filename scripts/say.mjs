/** One line of what is being done. */
export function say(text) {
  process.stdout.write(`  ${text}\n`);
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
