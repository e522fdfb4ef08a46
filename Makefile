.PHONY: help run test check bench
# What can be done here.
help:
	@printf 'make run    the whole product with demo data, on http://127.0.0.1:8080\nmake test   what CI does: checks, every test, coverage\nmake check  checks only: layout, lints, licences, rules\nmake bench  measures; prints tables\n'
# The whole product with demo data.
run:
	@sh scripts/run.sh
# Checks and every test; what .ci/run calls.
test:
	@sh scripts/test.sh
# Checks only.
check:
	@sh scripts/check.sh
# Measures the release build against other engines, on real data.
bench:
	@sh scripts/bench.sh

.PHONY: kills ledger steps power torn isolation overload answers contract
# The full forms of the trials; docs/guides/trials.md says what each shows.
TRIAL = cargo test --release --locked -p ledgerline-cli --test trials --
kills:
	LEDGERLINE_KILLS=50 $(TRIAL) kill::
ledger:
	LEDGERLINE_LEDGER_KILLS=30 $(TRIAL) ledger::
steps:
	LEDGERLINE_STEPS=100000 $(TRIAL) steps::
power:
	LEDGERLINE_POWER_CUTS=20 $(TRIAL) power::
torn:
	LEDGERLINE_TORN_ALL=1 $(TRIAL) torn::
isolation:
	LEDGERLINE_ISOLATION_REQUESTS=10000 $(TRIAL) isolation:: moved::
overload:
	LEDGERLINE_OVERLOAD_SECONDS=60 $(TRIAL) overload::
answers:
	LEDGERLINE_ANSWERS_FULL=1 $(TRIAL) answers::
contract:
	LEDGERLINE_CONTRACT_EXAMPLES=200 $(TRIAL) contract::
