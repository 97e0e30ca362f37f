import { testStorms } from './storms.testing.ts'

testStorms('odd')
