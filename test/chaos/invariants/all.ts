import { bucketAndRowsAgree } from './bucket-and-rows-agree.js';
import { bulkOutcomesAreTrue } from './bulk-outcomes-are-true.js';
import { effectsAreCarriedOut } from './effects-are-carried-out.js';
import { everyAttemptEnds } from './every-attempt-ends.js';
import type { Invariant } from './invariant.js';
import { limitsHold } from './limits-hold.js';
import { logFoldsToRow } from './log-folds-to-row.js';
import { lostRecordersEnd } from './lost-recorders-end.js';
import { mediaIsShown } from './media-is-shown.js';
import { meetingsAreRecordedOn } from './meetings-are-recorded-on.js';
import { noEndWithoutEvidence } from './no-end-without-evidence.js';
import { sweepsGoOn } from './sweeps-go-on.js';
import { noEgressWithoutRecording } from './no-egress-without-recording.js';
import { noSlotOutlives } from './no-slot-outlives.js';
import { noStatusGoesBack } from './no-status-goes-back.js';
import { nothingUnexpected } from './nothing-unexpected.js';
import { oneEgressPerRoom } from './one-egress-per-room.js';
import { onlyWhatWasAskedFor } from './only-what-was-asked-for.js';
import { segmentsAreJoined } from './segments-are-joined.js';
import { standstillsEnd } from './standstills-end.js';
import { startsSucceed } from './starts-succeed.js';
import { stopsAreFinal } from './stops-are-final.js';

/** All of them, fresh for one run. */
export function allInvariants(): Invariant[] {
  return [
    oneEgressPerRoom(),
    everyAttemptEnds(),
    noStatusGoesBack(),
    noEgressWithoutRecording(),
    bucketAndRowsAgree(),
    noSlotOutlives(),
    logFoldsToRow(),
    mediaIsShown(),
    lostRecordersEnd(),
    noEndWithoutEvidence(),
    sweepsGoOn(),
    bulkOutcomesAreTrue(),
    effectsAreCarriedOut(),
    onlyWhatWasAskedFor(),
    stopsAreFinal(),
    meetingsAreRecordedOn(),
    segmentsAreJoined(),
    standstillsEnd(),
    startsSucceed(),
    limitsHold(),
    nothingUnexpected(),
  ];
}
