/**
 * Every time and number by which the core judges, in one place: change one here and nowhere else. Times are in ms. What an
 * operator sets stands in the configuration: the start's timeouts, how often a worker is asked, how long a silence has to last.
 */
export const THRESHOLDS = {
  /** A dependency that could not be asked is asked again after this. */
  askAgainMs: 2_000,

  // Segments
  /** The length of one: what a worker that dies loses, and what is paid in requests to the bucket, both grow with it. */
  segmentMs: 2_000,
  /** Joining hours of segments takes minutes; whoever was told to and has not done it after this is taken for dead. */
  recoveryOverdueMs: 5 * 60_000,
  /** A disk that stays full, or a fault of ours, must not keep a recording from ending for ever. */
  recoveryGiveUpMs: 24 * 3_600_000,

  // A pipeline that stands still
  /** How often segments are looked for, or as often as workers are asked: what a look costs is paid as often. */
  mediaLookMs: 4_000,
  /** Looks in a row at which the bucket answered at once and had nothing new, while people publish: a pause of those who publish, or of the bucket, begins the row anew. */
  leastStillLooks: 3,
  /**
   * Over so many lengths of a segment and such a part of RECORDER_LOST_AFTER (10 s unless it is set), counted from the first
   * look that found nothing: an egress whose upload is refused tries again for some seconds, and then fails and says so.
   */
  stillSegments: 5,
  stillLostAfters: 1 / 2,
  /**
   * One whose recorder is out of the room may have ended by itself, without a word to LiveKit before its file is in the bucket
   * (its CPU, a limit of its worker's): it is given so many times RECORDER_LOST_AFTER from its last segment on.
   */
  uploadingLostAfters: 2,
  /** A segment of two seconds has less, unless it has more than 16 Mbit/s. */
  mostTrialBytes: 4 * 1024 * 1024,
  /** A bucket that takes longer for a list or for a segment is slow for egresses as well: then nothing stands still. */
  promptBucketMs: 2_000,
  /** Five digits, 55 hours: what has a higher number stands before others in the order of keys, where no look finds it. */
  lastOrderedSegment: 99_999,
  /** Names of segments that one look reads, one request's worth. */
  segmentsALook: 1_000,

  // A start
  /** Whoever stored an attempt sends it within moments; one that is unsent for so long was left by a process that died. */
  unsentMs: 1_500,
  /**
   * LiveKit lists an egress once its worker has made it, which can be a moment after its own answer, or after the request was
   * given up: for so long after the last instant of a start, the lists are not believed to be complete.
   */
  listMarginMs: 5_000,

  // Looks at LiveKit
  firstLookMs: 400,
  startingLookMs: 3_000,
  endingLookMs: 15_000,
  finalLookMs: 10_000,
  /** Looks that found nothing count once per this time, so that one bad moment counts once. */
  absenceSpacingMs: 2_000,
  /** Gone needs more than one look: an egress we know must have been missing for this long, over at least so many looks. */
  knownEgressAbsent: { looks: 3, spanMs: 8_000 },
  /** After an answer that said neither yes nor no, an egress that was made is listed at once. */
  unnamedEgressAbsent: { looks: 2, spanMs: 2_000 },
  /** An egress that is still active so long after its end was ordered has not heard of it. */
  stopAgainMs: 20_000,
  /** How long a recorder is given to leave after a stop whose outcome LiveKit left open. */
  recorderGraceMs: 5_000,

  // A worker
  /** One lost answer is no silence, and two may be one hiccup of the message bus. */
  leastSilences: 3,
  /** A worker that is there answers within a second, and LiveKit takes half a minute to say that none is. */
  fleetAnswerMs: 5_000,

  // Going on
  /** Recordings in a row that end without one having been active for a good while; then it is given up. */
  mostInARow: 7,
  /** A recording that was active for so long begins a new row. */
  goodWhileMs: 5 * 60_000,
  /** Before the next try, by how many have ended in a row: a room whose recorders die at once is not started without a pause. */
  pausesMs: [0, 0, 3_000, 10_000, 30_000, 60_000, 120_000],
  /** A continuation that can't be started now is tried again after this. */
  continueAgainMs: 3_000,
  /** A meeting that nobody has published in for so long has not been waiting for its recording. */
  giveUpMs: 10 * 60_000,

  // Recording by itself
  /** While a room should be recorded and is not, it is looked at again after this. */
  autoRecordAgainMs: 2_000,
  /** A room that should be recorded and is not for so long is an incident. */
  unrecordedIncidentMs: 30_000,

  // A deletion
  /** It is carried out at once by who asked for it; this is when somebody else takes over. */
  deletionGraceMs: 10_000,
  /** This long after it was asked for, nobody is on it. */
  deletionOverdueMs: 30_000,
} as const;
