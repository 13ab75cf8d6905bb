import { Logger } from '@nestjs/common';

// What the product logs is noise in a test's output; TEST_LOGS=1 shows it.
if (!process.env.TEST_LOGS) Logger.overrideLogger(false);
