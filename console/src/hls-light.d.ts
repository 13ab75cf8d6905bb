/** The small build of the same library, without types of its own. */
declare module 'hls.js/light' {
  export { default } from 'hls.js';
  export type * from 'hls.js';
}
