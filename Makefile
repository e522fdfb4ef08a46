.PHONY: test
# Every test of the workspace; what .ci/run calls.
test:
	sh scripts/test.sh
