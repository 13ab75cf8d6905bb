import { failureName, type FaultText } from './storage-errors.js';

const OPERATOR = 'whoever runs this server finds the reason in its log';

/** What a failed request to the storage folder says and what is to be done about it. */
export function describeFileFailure(error: unknown, folder: string): FaultText {
  const code = failureName(error);
  const { plain, advice } = wordsOf(code);
  return { plain, detail: `the folder ${folder} that STORAGE_URL names: ${code}; ${advice}` };
}

function wordsOf(code: string): { readonly plain: string; readonly advice: string } {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return {
        plain: `it refuses access; ${OPERATOR}`,
        advice: 'let the user that runs this server read and write it and everything in it',
      };
    case 'EROFS':
      return { plain: `it can only be read; ${OPERATOR}`, advice: 'mount its file system for writing' };
    case 'ENOSPC':
    case 'EDQUOT':
      return { plain: `it is full; ${OPERATOR}`, advice: 'make room on its disk' };
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ENOTEMPTY':
      return {
        plain: `a file stands where a folder should, or a folder where a file should; ${OPERATOR}`,
        advice: 'it has to be a folder that nothing but this server and its egress writes to',
      };
    case 'ENOENT':
      return {
        plain: `its folder is gone; ${OPERATOR}`,
        advice: 'bring back the folder, or mount its disk again',
      };
    case 'EMFILE':
    case 'ENFILE':
      return {
        plain: 'too much is open at the moment; try again later',
        advice: 'raise the limit of open files',
      };
    default:
      return { plain: 'try again later', advice: 'look at its disk' };
  }
}
