// Processes run what is built: built once, before the first of them starts.
module.exports = async () => {
  const { build } = await import('../../scripts/build.mjs');
  await build();
};
