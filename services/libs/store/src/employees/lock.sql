-- Makes other changes of mappings wait until the end of the transaction. Reports do not wait.
LOCK TABLE employee_mappings IN SHARE ROW EXCLUSIVE MODE
